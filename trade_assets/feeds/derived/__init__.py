"""What is computed from records: positions, implied volatilities and Greeks. Pure functions of
frames; who reads and writes the frames is not known here.
"""
