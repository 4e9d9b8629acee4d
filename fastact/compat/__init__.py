"""Other libraries' signatures on fastact's kernels."""
