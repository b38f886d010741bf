"""How well a glass is known: Fisher information, profile intervals, samples."""
