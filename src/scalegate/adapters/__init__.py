"""Floor 7: adapters implement ports: private keys, witnesses, databases."""
