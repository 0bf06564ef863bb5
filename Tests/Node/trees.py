"""Random trees of blocks, many of which consensus refuses, as Bitcoin Core's engine stores them.

trees.py FOLDER SEED TREES STEPS writes the `blocks` folder after each block to FOLDER/TREE/STEP, without the zeros at the
end of its files, and prints a line of JSON for each: its folder, the engine's best chain by height, and all blocks that
it ever connected.
"""
import json
import pathlib
import random
import struct
import sys
import tempfile

import pbk

from chain import Chain
from formats import COIN, compact, sha256d, target

LOCK, KEY, NO_KEY = b"\x52\x87", b"\x52", b"\x53"  # OP_2 OP_EQUAL, and what it takes
BITS = 0x207FFFFF


class Tree:
    def __init__(self, seed, folder):
        self.random = random.Random(seed)
        self.chain = Chain(folder, "regtest", None)
        self.chain.mine(101)
        self.spent = {}
        coinbase = next(iter(self.chain.pool(self.chain.tip.hash).items()))
        (txid, n), (_, _, value, script) = coinbase
        signature = b"" if script == b"\x51" else b"\x01\x51"
        split = Chain.tx([(txid, n, signature)], [(value // 40, LOCK)] * 40)
        self.locked = [(split.id, i, value // 40) for i in range(40)]
        self.add(self.chain.tip, [split])
        self.all = [self.chain.tip.hash]

    def add(self, parent, txs, extra=0):
        """Hands the engine a block. Whether it connects it is its business; the entry, if it is stored at all."""
        height = parent.height + 1
        size = (height.bit_length() + 8) // 8
        push = bytes([size]) + height.to_bytes(size, "little") + b"\x04" + self.random.randbytes(4)
        txs = [Chain.tx([(bytes(32), 0xFFFFFFFF, push)], [(50 * COIN + extra, b"\x51")]), *txs]
        layer = [tx.id for tx in txs]
        while len(layer) > 1:
            layer += layer[-1:] * (len(layer) % 2)
            layer = [sha256d(a + b) for a, b in zip(layer[::2], layer[1::2])]
        header = struct.pack("<i", 0x20000000) + bytes.fromhex(parent.hash)[::-1] + layer[0]
        header += struct.pack("<II", self.chain.mediantime(parent) + 1, BITS)
        nonce = 0
        while int.from_bytes(sha256d(header + struct.pack("<I", nonce)), "little") > target(BITS):
            nonce += 1
        block = header + struct.pack("<I", nonce) + compact(len(txs)) + b"".join(tx.raw for tx in txs)
        try:
            self.chain.manager.process_block(pbk.Block(block))
        except pbk.ProcessBlockException:  # refused before it was stored
            return
        entry = self.chain.add(block)
        self.spent[entry.hash] = self.spent.get(parent.hash, frozenset())
        self.chain.follow()
        return entry

    def step(self):
        pick = self.random.random()
        if pick < 0.55:
            parent = self.chain.tip
        elif pick < 0.85 and self.chain.tip.height > 103:
            parent = self.chain.index[self.chain.tip.parent]
        else:
            parent = self.chain.index[self.random.choice(self.all[-8:])]
        spent = self.spent[parent.hash]
        free = [coin for coin in self.locked if coin not in spent]
        coin = self.random.choice(free[:2])
        pay = lambda coin, key=KEY, more=0: Chain.tx([(coin[0], coin[1], key)], [(coin[2] - 1000 + more, b"\x51")])
        immature = self.chain.tip.height - 20
        kinds = [
            lambda: ([], 0),
            lambda: ([], 0),
            lambda: ([pay(coin)], 0),
            lambda: ([pay(coin)], 1000),  # takes the fee
            lambda: ([pay(free[0]), pay(free[1])], 0),
            # Refused from here on.
            lambda: ([], 1),
            lambda: ([pay(coin)], 1001),
            lambda: ([pay(coin, NO_KEY)], 0),
            lambda: ([pay(coin, NO_KEY)], 0),
            lambda: ([pay(free[0]), pay(free[1], NO_KEY)], 0),
            lambda: ([pay(coin), pay(coin)], 0),
            lambda: ([pay((self.random.randbytes(32), 0, 5000))], 0),
            lambda: ([pay(coin, more=1001)], 0),
            lambda: ([self.young(immature)], 0),
            lambda: ([pay(min(spent, default=coin), NO_KEY)], 0),
        ]
        txs, extra = self.random.choice(kinds)()
        entry = self.add(parent, txs, extra)
        if not entry:
            return
        outpoints = {(txid, n) for tx in txs for txid, n, _, _ in tx.vin}
        self.spent[entry.hash] = spent | {coin for coin in self.locked if coin[:2] in outpoints}
        self.all.append(entry.hash)

    def young(self, height):
        """Spends a coinbase before its time."""
        (txid, n), _ = next(at for at in self.chain.pool(self.chain.tip.hash).items() if at[1][0] >= height)
        return Chain.tx([(txid, n, b"")], [(COIN, b"\x51")])

    def connected(self):
        """All blocks that ever were in the best chain, also those that were only tried on the way to another tip."""
        chain = self.chain
        return [hash for hash in chain.index if hash in chain.best or chain.undo(chain.index[hash]) is not None]

    def save(self, folder):
        (folder / "blocks").mkdir(parents=True)
        for path in self.chain.folder.glob("*.dat"):
            data = path.read_bytes()
            (folder / "blocks" / path.name).write_bytes(data if path.name == "xor.dat" else data.rstrip(b"\0") + bytes(8))


def main(folder, seed, trees, steps):
    for number in range(int(trees)):
        with tempfile.TemporaryDirectory() as scratch:
            tree = Tree(f"{seed} {number}", pathlib.Path(scratch))
            for step in range(int(steps)):
                tree.step()
                at = pathlib.Path(folder) / str(number) / f"{step:03}"
                tree.save(at)
                print(json.dumps({"folder": str(at), "best": tree.chain.best, "connected": tree.connected()}))
            tree.chain.close()


main(*sys.argv[1:])
