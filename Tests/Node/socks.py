"""A SOCKS 5 proxy on loopback that says who asks for what: a line `USER PASSWORD HOST PORT` for each connection.

Names are taken as they come and looked up here, as Tor does. Whoever gives no name and password is refused.
Prints its port first; runs until it is told to end.
"""
import socket
import struct
import threading


one_at_a_time = threading.Lock()


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in (source, sink):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(client):
    try:
        _, count = exactly(client, 2)
        if 2 not in exactly(client, count):
            client.sendall(b"\x05\xff")
            return
        client.sendall(b"\x05\x02")
        exactly(client, 1)
        user = exactly(client, exactly(client, 1)[0]).decode()
        password = exactly(client, exactly(client, 1)[0]).decode()
        client.sendall(b"\x01\x00")
        _, _, _, kind = exactly(client, 4)
        # Whoever looks names up itself sends an address, and is refused.
        if kind != 3:
            client.sendall(b"\x05\x08\x00\x01" + bytes(6))
            return
        host = exactly(client, exactly(client, 1)[0]).decode()
        port = struct.unpack(">H", exactly(client, 2))[0]
        with one_at_a_time:
            print(user, password, host, port, flush=True)
        there = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        threading.Thread(target=pump, args=(there, client), daemon=True).start()
        pump(client, there)
    except (EOFError, OSError):
        pass
    finally:
        client.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
