"""Two runs beside each other: records joined by id, and how far their scores are apart, in bounded memory."""
