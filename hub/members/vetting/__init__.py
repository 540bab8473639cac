"""How an organisation becomes a member, stays one, and ceases to be one: cases, evidence, decisions, agreements."""
