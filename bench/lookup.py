#!/usr/bin/env python3
"""Looks a server up from Python, N times, and prints the nanoseconds of each. usage: lookup.py LIBRARY|plain DIRECTORY N"""
import ctypes
import json
import os
import sys
import time


def by_library(path, directory):
    berth = ctypes.CDLL(path)
    pointer = ctypes.c_void_p
    berth.berth_read_live.argtypes = [pointer, ctypes.POINTER(pointer)]
    berth.berth_record_port.argtypes = berth.berth_record_free.argtypes = [pointer]
    where, server = pointer(), pointer()
    assert berth.berth_locate(b"pm", directory.encode(), None, ctypes.byref(where)) == 0

    def look():
        assert berth.berth_read_live(where, ctypes.byref(server)) == 0
        port = berth.berth_record_port(server)
        berth.berth_record_free(server)
        return port

    return look


def by_hand(directory):
    def look():
        with open(directory + "/server.json", encoding="utf-8") as file:
            server = json.load(file)
        os.kill(server["pid"], 0)
        return server["port"]

    return look


way, directory, count = sys.argv[1:]
look = by_hand(directory) if way == "plain" else by_library(way, directory)
look()
for _ in range(int(count)):
    begun = time.perf_counter_ns()
    look()
    print(time.perf_counter_ns() - begun)
