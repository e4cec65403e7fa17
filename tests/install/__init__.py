"""The cases of install_test.py."""
