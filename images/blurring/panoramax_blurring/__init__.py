"""Blurs faces and licence plates in JPEG pictures: lossless outside the boxes, irreversible inside, fail closed."""
