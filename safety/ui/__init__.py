"""The nurse's and the administrator's pages. They draw and ask; they decide nothing."""
