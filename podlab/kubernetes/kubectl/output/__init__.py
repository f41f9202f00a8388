"""What kubectl prints: tables, and the formats of -o."""
