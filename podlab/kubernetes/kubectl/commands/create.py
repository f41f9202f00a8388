def subjects(call):
    return []
