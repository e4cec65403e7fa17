#!/usr/bin/python3
"""Services in a real etcd, started here on loopback.
usage: etcd_test.py PM_SERVER PLUGIN_DIRECTORY BERTH [unittest's arguments]"""
import unittest

from etcd.clients_test import Clients
from etcd.services_test import Services

unittest.main()
