#!/usr/bin/env python3
"""What an idle connection costs in memory: idle.py CONNECTIONS BURST SERVER [ARGUMENTS...]

Starts SERVER, an echo server that prints its port or an address with it, opens CONNECTIONS, sends
BURST bytes through each and receives them back, and prints the resident memory per connection
before and after that, in KiB. A buffer of the program's own counts as well: see how large it is.
"""
import os
import re
import resource
import selectors
import socket
import subprocess
import sys
import time


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def settled(pid):
    """The resident memory once it no longer falls."""
    lowest, unchanged = resident(pid), 0
    while unchanged < 5:
        time.sleep(0.2)
        now = resident(pid)
        unchanged = unchanged + 1 if now >= lowest else 0
        lowest = min(now, lowest)
    return lowest


def burst(client, size):
    """Sends and receives at the same time, so that neither side waits for the other."""
    client.setblocking(False)
    sent = received = 0
    piece = bytes(size)
    with selectors.DefaultSelector() as ready:
        ready.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while received < size:
            for _, events in ready.select():
                if events & selectors.EVENT_WRITE and sent < size:
                    sent += client.send(piece[sent:])
                if sent == size:
                    ready.modify(client, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    received += len(client.recv(65536))


def main():
    count, size, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    limit = count + 64
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = int(re.search(r"(?:^|127\.0\.0\.1:)(\d+)\b", server.stdout.readline())[1])
        base = settled(server.pid)
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
        connected = settled(server.pid)
        for client in clients:
            burst(client, size)
        idle = settled(server.pid)
        print(f"{os.path.basename(command[0])}: {count} idle connections, KiB each: "
              f"{(connected - base) / count:.2f} before a burst of {size} bytes, {(idle - base) / count:.2f} after it")
    finally:
        server.kill()
        server.wait()


main()
