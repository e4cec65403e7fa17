#!/usr/bin/env python3
"""Prints where hello listens, having started it if nobody had. usage: client.py PROGRAM [ARGUMENT...]"""
import ctypes
import sys

berth = ctypes.CDLL("libberth-c.so.1")
for name in ("berth_message", "berth_record_url", "berth_record_version"):
    getattr(berth, name).restype = ctypes.c_char_p
    getattr(berth, name).argtypes = [ctypes.c_void_p] if "record" in name else []
where, server = ctypes.c_void_p(), ctypes.c_void_p()
words = [word.encode() for word in sys.argv[1:]] + [None]

status = berth.berth_locate(b"hello", None, None, ctypes.byref(where))
if status == 0:
    status = berth.berth_ensure(where, (ctypes.c_char_p * len(words))(*words), None, ctypes.c_int64(10_000),
                                ctypes.byref(server))
if status != 0:
    sys.exit(f"{berth.berth_message().decode()} (status {status})")
print(berth.berth_record_url(server).decode(), "version", berth.berth_record_version(server).decode())
