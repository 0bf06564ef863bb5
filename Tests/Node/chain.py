"""A chain that Bitcoin Core's engine keeps in a data directory, and that can be mined."""
import hashlib
import pathlib
import struct
import tempfile
import threading
import time

import pbk

from formats import COIN, Entry, Reader, RPCError, Tx, compact, sha256d, stored_blocks, target, transactions

NETWORKS = {
    "main": ("MAINNET", bytes.fromhex("f9beb4d9")),
    "regtest": ("REGTEST", bytes.fromhex("fabfb5da")),
}

TRUE = b"\x51"
TRUE_P2SH = bytes.fromhex("a914da1745e9b549bd0bfa1a569971c77eba30cd5a4b87")
SPEND = {TRUE: b"", TRUE_P2SH: b"\x01\x51"}  # scriptPubKey → scriptSig


class Chain:
    """Bitcoin Core's engine on a data directory.

    `index` has every block by its hash, `best` the hashes of the best chain by height. Whoever reads them holds
    `changed`, which also tells those who wait for a new tip.
    """

    def __init__(self, datadir, network, imported):
        self.network = network
        name, magic = NETWORKS[network]
        self.manager = pbk.load_chainman(datadir, getattr(pbk.ChainType, name))
        self.changed = threading.Condition(threading.RLock())
        if imported and imported.is_dir():
            with tempfile.NamedTemporaryFile(dir=datadir) as file:
                for path in sorted(imported.glob("blk*.dat")):
                    for block in stored_blocks(path, magic):
                        file.write(magic + struct.pack("<I", len(block)) + block)
                file.flush()
                self.manager.import_blocks([pathlib.Path(file.name)])
        else:
            self.manager.import_blocks([imported] if imported else [])
        self.folder = datadir / "blocks"
        self.index, self.best, self.pools = {}, [], {}
        for path in sorted(self.folder.glob("blk*.dat")):
            for block in stored_blocks(path, magic):
                if pbk.BlockHash(sha256d(block[:80])) not in self.manager.block_tree_entries:  # after a crash
                    self.manager.process_block(pbk.Block(block))
                self.add(block)
        self.follow()

    def close(self):
        """Writes what is not on disk yet. Requests that still run wait for ever: the process is about to end."""
        self.changed.acquire()
        self.manager.__exit__(None, None, None)

    def add(self, block):
        """Takes a stored block into the index."""
        header, parent = block[:80], block[4:36][::-1].hex()
        before = self.index.get(parent)
        work = (before.work if before else 0) + (1 << 256) // (target(int.from_bytes(header[72:76], "little")) + 1)
        hash = sha256d(header)[::-1].hex()
        self.index[hash] = Entry(
            hash, parent, before.height + 1 if before else 0, header, work, Reader(block, 80).size()
        )
        return self.index[hash]

    def follow(self):
        """Makes `best` what the engine's best chain is."""
        hash = str(self.manager.get_active_chain().block_tree_entries[-1].block_hash)
        branch = []
        while (at := self.index.get(hash)) and self.best[at.height : at.height + 1] != [hash]:
            branch.append(hash)
            hash = at.parent
        self.best[at.height + 1 if at else 0 :] = reversed(branch)

    @property
    def tip(self):
        return self.index[self.best[-1]]

    def is_best(self, entry):
        return self.best[entry.height : entry.height + 1] == [entry.hash]

    def engine_entry(self, entry):
        return self.manager.block_tree_entries[pbk.BlockHash(bytes.fromhex(entry.hash)[::-1])]

    def block(self, entry):
        """A block's bytes."""
        return bytes(self.manager.blocks[self.engine_entry(entry)])

    def undo(self, entry):
        """The coins spent, by transaction but the coinbase: (height, is coinbase, value, script).

        None of a block that was never connected, and of the genesis block.
        """
        try:
            spent = self.manager.block_spent_outputs[self.engine_entry(entry)]
        except (KeyError, RuntimeError):
            return None
        return [
            [
                (coin.confirmation_height, coin.is_coinbase, coin.output.amount, bytes(coin.output.script_pubkey))
                for coin in tx.coins
            ]
            for tx in spent.transactions
        ]

    def mediantime(self, entry):
        """GetMedianTimePast."""
        times = []
        while entry and len(times) < 11:
            times.append(entry.time)
            entry = self.index.get(entry.parent)
        return sorted(times)[len(times) // 2]

    def other(self, hash):
        """A block that is not this one."""
        at = self.index.get(hash, self.tip)
        return at.parent if at.parent in self.index else self.best[-1]

    # Mining: coinbases for anyone to spend, and once they are mature, two transactions a block.

    def pool(self, hash):
        """The coins that anyone can spend, the oldest first: (txid, n) → (height, is coinbase, value, script)."""
        path = []
        while hash not in self.pools and hash in self.index:
            path.append(self.index[hash])
            hash = self.index[hash].parent
        for entry in reversed(path):
            pool = dict(self.pools.get(entry.parent, {}))
            for i, tx in enumerate(transactions(self.block(entry)) if entry.height else []):
                for txid, n, _, _ in tx.vin:
                    pool.pop((txid, n), None)
                for n, (value, script) in enumerate(tx.vout):
                    if script in SPEND:
                        pool[tx.id, n] = (entry.height, i == 0, value, script)
            self.pools[entry.hash] = pool
        return self.pools[path[0].hash if path else hash]

    def mine(self, count, parent=None):
        """Adds `count` blocks to the block `parent`, or to the tip; the longest chain becomes the best."""
        if self.network != "regtest":
            raise RPCError(-1, "only regtest can be mined")
        hashes = []
        with self.changed:
            parent = self.index[parent] if parent else self.tip
            for _ in range(count):
                block = self.next_block(parent)
                self.manager.process_block(pbk.Block(block))
                best, parent = self.tip, self.add(block)
                self.follow()
                if parent.work > best.work and not self.is_best(parent):
                    raise RPCError(-25, f"the engine refuses block {parent.hash}")
                hashes.append(parent.hash)
            self.changed.notify_all()
            return {"hashes": hashes, "tip": self.tip.hash, "height": self.tip.height}

    def invalidate(self, height):
        """The best block is the one below, as after `invalidateblock`; nothing can be mined on it."""
        with self.changed:
            del self.best[height:]
            self.changed.notify_all()
        return {}

    def next_block(self, parent):
        height, salt = parent.height + 1, struct.pack("<I", len(self.index))
        size = (height.bit_length() + 8) // 8
        push = bytes([0x50 + height]) if height <= 16 else bytes([size]) + height.to_bytes(size, "little")
        mature = [
            (*at, *coin)
            for at, coin in self.pool(parent.hash).items()
            if not coin[1] or height - coin[0] >= 100
        ]
        subsidy = (50 * COIN >> height // 150, self.anyone(height))
        txs = [self.tx([(bytes(32), 0xFFFFFFFF, push + b"\x04" + salt)], [subsidy])]
        if mature:
            first = self.payment(mature[:2], height, salt + b"1")
            value, script = first.vout[0]
            again = (first.id, 0, height, False, value, script)  # spent in the block that makes it
            txs += [first, self.payment([again, *mature[2:3]], height + 1, salt + b"2")]
        layer = [tx.id for tx in txs]
        while len(layer) > 1:
            layer += layer[-1:] * (len(layer) % 2)
            layer = [sha256d(a + b) for a, b in zip(layer[::2], layer[1::2])]
        now = int(time.time())
        when = max(self.mediantime(parent) + 1, min(now, max(parent.time + 600, now - 43200)))
        header = struct.pack("<i", 0x20000000) + bytes.fromhex(parent.hash)[::-1] + layer[0]
        header += struct.pack("<II", when, 0x207FFFFF)
        nonce = 0
        while int.from_bytes(sha256d(header + struct.pack("<I", nonce)), "little") > target(0x207FFFFF):
            nonce += 1
        return header + struct.pack("<I", nonce) + compact(len(txs)) + b"".join(tx.raw for tx in txs)

    @staticmethod
    def anyone(n):
        return TRUE_P2SH if n % 2 else TRUE

    def payment(self, coins, n, seed):
        """Spends coins (txid, n, …, value, script): one output for anyone, and one of each common kind."""
        at = hashlib.sha256(seed).digest()
        scripts = [
            self.anyone(n),
            b"\x76\xa9\x14" + at[:20] + b"\x88\xac",  # P2PKH
            b"\xa9\x14" + at[1:21] + b"\x87",  # P2SH
            b"\x00\x14" + at[2:22],  # P2WPKH
            b"\x51\x20" + at,  # P2TR
            b"\x21\x02" + at + b"\xac",  # P2PK, a point or not
        ]
        share = sum(coin[4] for coin in coins) // (len(scripts) + 1)  # what is left is a fee that nobody claims
        outputs = [(share, script) for script in scripts] + [(0, b"\x6a\x08" + at[:8])]
        return self.tx([(txid, n, SPEND[script]) for txid, n, _, _, _, script in coins], outputs)

    @staticmethod
    def tx(inputs, outputs):
        vin = b"".join(txid + struct.pack("<I", n) + compact(len(sig)) + sig + b"\xff" * 4 for txid, n, sig in inputs)
        vout = b"".join(struct.pack("<q", value) + compact(len(script)) + script for value, script in outputs)
        return Tx(Reader(b"\x02\x00\x00\x00" + compact(len(inputs)) + vin + compact(len(outputs)) + vout + bytes(4)))
