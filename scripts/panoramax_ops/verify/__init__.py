"""Prove from outside, and from inside the containers, that a deployed site keeps what is promised to its people."""
