"""Parts of tools/train_demo.py: tables of facts, questions about them, the network."""
