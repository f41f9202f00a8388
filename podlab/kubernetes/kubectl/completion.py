def complete_line(line, terminal, commands):
    return []
