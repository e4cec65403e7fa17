#!/usr/bin/env python3
"""What is installed: that it is whole, says what the programs do, exports what it should, and is
found and used by others. usage: install_test.py SOURCE BUILD COMPILER [unittest words...]"""
import sys
import unittest

from install.libraries_test import Embedding, Headers, Libraries, Subproject
from install.programs_test import Container, PortFile, Programs

unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
