"""The private pre-check: an oblivious PRF (RFC 9497) and the sets that members compare with."""
