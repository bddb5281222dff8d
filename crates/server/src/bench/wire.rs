//! The lean end of HTTP/1.1: one connection, kept alive, one request at a time,
//! answers with a length. A load generator shares the machine with what it
//! loads, so it must cost next to nothing.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::other;
use crate::running::StartError;

/// One connection of one bearer.
pub(super) struct Wire {
    stream: TcpStream,
    bearer: String,
    sent: Vec<u8>,
    read: Vec<u8>,
}

/// An answer.
pub(super) struct Reply<'a> {
    /// Its status.
    pub(super) status: u16,
    head: &'a str,
    /// Its body.
    pub(super) body: &'a [u8],
}

impl Wire {
    /// Connects.
    pub(super) async fn connect(address: SocketAddr, token: &str) -> Result<Self, StartError> {
        let stream = TcpStream::connect(address).await.map_err(other)?;
        stream.set_nodelay(true).map_err(other)?;
        let bearer = format!("Host: {address}\r\nAuthorization: Bearer {token}\r\n");
        Ok(Self { stream, bearer, sent: Vec::new(), read: Vec::new() })
    }

    /// Reads a resource.
    pub(super) async fn get(&mut self, path: &str) -> Result<Reply<'_>, StartError> {
        self.ask(&["GET ", path, " HTTP/1.1\r\n"], "").await
    }

    /// Changes a resource, on the version it has.
    pub(super) async fn post(&mut self, path: &str, version: u64, body: &str) -> Result<Reply<'_>, StartError> {
        let headers = format!("Content-Type: application/json\r\nIf-Match: \"{version}\"\r\nContent-Length: {}\r\n", body.len());
        self.ask(&["POST ", path, " HTTP/1.1\r\n", &headers], body).await
    }

    async fn ask(&mut self, head: &[&str], body: &str) -> Result<Reply<'_>, StartError> {
        self.sent.clear();
        for part in head.iter().copied().chain([self.bearer.as_str(), "\r\n", body]) {
            self.sent.extend_from_slice(part.as_bytes());
        }
        self.stream.write_all(&self.sent).await.map_err(other)?;
        self.read.clear();
        let mut length = None;
        loop {
            if self.stream.read_buf(&mut self.read).await.map_err(other)? == 0 {
                return Err(other("the service closed a connection"));
            }
            let ends = length.or_else(|| end_of_head(&self.read).map(|end| (end, length_of(&self.read[..end]))));
            length = ends;
            if let Some((end, body)) = ends
                && self.read.len() >= end + body
            {
                return reply(&self.read, end);
            }
        }
    }
}

fn end_of_head(read: &[u8]) -> Option<usize> {
    read.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

fn length_of(head: &[u8]) -> usize {
    let head = std::str::from_utf8(head).unwrap_or_default();
    header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let named = head.split("\r\n").filter_map(|line| line.split_once(':')).find(|(found, _)| found.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value.trim())
}

fn reply(read: &[u8], end: usize) -> Result<Reply<'_>, StartError> {
    let head = std::str::from_utf8(&read[..end]).map_err(other)?;
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    Ok(Reply { status: status.ok_or_else(|| other("an answer has no status"))?, head, body: &read[end..] })
}

impl Reply<'_> {
    /// A header that is a number, in quotes or not.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        header(self.head, name)?.trim_matches('"').parse().ok()
    }

    /// An answer nobody wanted, in words.
    pub(super) fn unwanted(&self, path: &str) -> StartError {
        other(format!("{path} was answered with {}: {}", self.status, String::from_utf8_lossy(self.body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_by_its_length() {
        let read = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nETag: \"21\"\r\n\r\n{}";
        let end = end_of_head(read).expect("a head");
        assert_eq!(length_of(&read[..end]), 2);
        let reply = reply(read, end).expect("an answer");
        assert_eq!((reply.status, reply.number("etag"), reply.body), (200, Some(21), b"{}".as_slice()));
    }
}
