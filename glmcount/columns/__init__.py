"""One column of any make, as plain numbers or codes."""
