"""The director's and the compliance officer's pages. They draw what the reading gives them."""
