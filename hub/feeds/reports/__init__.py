"""The language of fraud reports: their schema, their codes and grades, and what may be told from them."""
