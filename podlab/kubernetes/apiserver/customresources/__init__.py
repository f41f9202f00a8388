"""Kinds that people define themselves: CustomResourceDefinitions, and the objects of those kinds."""
