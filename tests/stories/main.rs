//! What people and machines do with the service, told over HTTP on both stores,
//! each story in a world of its own.

mod actions;
mod bad_input;
mod canary;
mod candidates;
mod feed;
mod grants;
mod keys;
mod lists;
mod operation;
mod organisations;
mod outages;
mod persons;
mod sessions;
mod sight;
mod small_case;
mod tokens;
mod versions;
mod walk;
