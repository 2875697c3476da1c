"""Builds and checks the models of this folder; `generate.py` is its command line."""
