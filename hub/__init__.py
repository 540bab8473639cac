"""The hub: fraud and cyber threat indicators in, signed STIX 2.1 over TAXII out."""
