//! The HTTP face: who is it, may they, command or query, answer. No SQL, no
//! rule of the domain; one file per resource, one table of contents.

pub mod access;
pub mod body;
pub mod call;
pub mod care;
pub mod command;
pub mod contract;
pub mod events;
pub mod feed;
pub mod health;
pub mod limits;
pub mod listing;
pub mod me;
pub mod measure;
pub mod names;
pub mod opening;
pub mod problem;
pub mod reads;
pub mod resource;
pub mod resources;
pub mod routes;
pub mod schema;
pub mod service;
pub mod sight;
pub mod table;
pub mod token;
