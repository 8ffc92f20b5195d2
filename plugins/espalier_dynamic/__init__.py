"""Dynamic classes and the index of embeddings over FAISS: what is learned, is used at once."""

from .classifier import DynamicClassifier as DynamicClassifier
from .index import FaissIndex as FaissIndex
