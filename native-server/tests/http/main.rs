//! What a server is told, and what comes of it. Tests that count the frames of one that plays are programs of their own:
//! what computes beside them would take its time.

#[path = "../common/mod.rs"]
mod common;

mod access;
mod analysis;
mod files;
mod openapi;
mod parts;
mod rest;
mod revisions;
mod samples;
mod takes;
