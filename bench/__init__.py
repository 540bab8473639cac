"""The benchmark: everything is measured in one run and told as a ratio, so that the machine cancels out."""
