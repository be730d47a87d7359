"""From a recipe to maps, layers and tables: the main job."""
