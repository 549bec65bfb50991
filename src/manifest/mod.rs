//! Tree to `Desired`.
