"""Rules about catalogues of texts in other languages, texts/*.po: CP62x."""
