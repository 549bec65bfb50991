//! Looks at real repositories, made by the real `git` in temporary directories.

mod follow;
mod hostile;
mod scene;
mod secrets;
mod signatures;
mod upkeep;
