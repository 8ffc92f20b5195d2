"""Espalier inside Label Studio: a Django app, switched on by DJANGO_SETTINGS_MODULE=espalier_labelstudio.settings.

It imports Django, the standard library, espalier_ontology and Label Studio's own modules, and nothing else. Whatever of
it fails, Label Studio works on as if it were not there.
"""
