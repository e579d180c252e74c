"""Inspections: what is due, what is drawn at random, and the proof of it."""
