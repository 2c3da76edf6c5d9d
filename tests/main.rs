//! End to end, through the real binary: one test binary for all, so that it links once.
