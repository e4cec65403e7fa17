"""The cases of etcd_test.py; a package, so that no installed one of its name is taken for it."""
