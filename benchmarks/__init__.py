"""Measurements beside peers, run as modules: ``benchmarks.store`` and ``benchmarks.rates``."""
