"""Tests of node_tuner.bpf."""
