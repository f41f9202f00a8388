"""What several controllers need to know of Pods, owners, templates and conditions. Controllers never import each other."""
