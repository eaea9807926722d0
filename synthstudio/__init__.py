"""SynthStudio: from a few hundred clicks to a trained, explained and checked model, offline."""

__version__ = "0.1.0"
