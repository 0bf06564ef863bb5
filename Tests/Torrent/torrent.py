"""BitTorrent as libtorrent does it, on loopback and without DHT, trackers or LSD.

torrent.py make FOLDER BYTES OUT [URL…]   a torrent of a folder's manifest.txt, shards and filters, with pieces of so many bytes
torrent.py show TORRENT MAGNET            what a torrent and a link say, as JSON
torrent.py web TORRENT INTO               downloads from the torrent's web seeds alone
torrent.py peer TORRENT FROM LINK INTO    one session serves the torrent from a folder, another one, which knows the
                                          torrent or magnet link LINK, downloads from it alone
"""
import json
import os
import sys
import time

import libtorrent as lt


def make(folder, size, out, *urls):
    files = lt.file_storage()
    lt.add_files(files, folder, lambda path: not os.path.basename(path).startswith("snapshot."))
    torrent = lt.create_torrent(files, int(size))
    lt.set_piece_hashes(torrent, os.path.dirname(folder))
    entry = torrent.generate()
    del entry[b"creation date"]
    if urls:
        entry[b"url-list"] = [url.encode() for url in urls]
    with open(out, "wb") as file:
        file.write(lt.bencode(entry))


def show(path, link):
    info = lt.torrent_info(path)
    hashes = info.info_hashes()
    magnet = lt.parse_magnet_uri(link)
    with open(path, "rb") as file:
        outer = lt.bdecode(file.read())
    print(json.dumps({
        "isValid": info.is_valid(), "name": info.name(), "pieceLength": info.piece_length(),
        "v1": str(hashes.v1), "v2": str(hashes.v2), "webSeeds": [seed["url"] for seed in info.web_seeds()],
        "keys": sorted(key.decode() for key in outer),
        "link": {"v1": str(magnet.info_hashes.v1), "v2": str(magnet.info_hashes.v2), "name": magnet.name,
                 "webSeeds": magnet.url_seeds}}))


def session():
    return lt.session({
        "listen_interfaces": "127.0.0.1:0", "enable_dht": False, "enable_lsd": False, "enable_upnp": False,
        "enable_natpmp": False, "allow_multiple_connections_per_ip": True})


def finish(handle):
    for _ in range(2400):
        if handle.status().is_seeding:
            return
        time.sleep(0.05)
    sys.exit(f"not downloaded: {handle.status().progress:.0%} after two minutes")


def web(path, into):
    own = session()
    finish(own.add_torrent({"ti": lt.torrent_info(path), "save_path": into}))


def peer(path, folder, link, into):
    seeder, leecher = session(), session()
    served = seeder.add_torrent({"ti": lt.torrent_info(path), "save_path": folder})
    finish(served)
    if link.startswith("magnet:"):
        wanted = lt.parse_magnet_uri(link)
        wanted.url_seeds = []
    else:
        wanted = lt.add_torrent_params()
        wanted.ti = lt.torrent_info(link)
    wanted.save_path = into
    handle = leecher.add_torrent(wanted)
    handle.connect_peer(("127.0.0.1", seeder.listen_port()))
    finish(handle)


{"make": make, "show": show, "web": web, "peer": peer}[sys.argv[1]](*sys.argv[2:])
