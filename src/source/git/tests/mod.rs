//! Looks at real repositories, made by the real `git` in temporary directories.

mod backend;
mod cost;
mod follow;
mod hostile;
mod reasons;
mod room;
mod scene;
mod secrets;
mod signatures;
mod upkeep;
