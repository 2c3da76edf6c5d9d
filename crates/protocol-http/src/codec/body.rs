//! Chunked bodies (RFC 9112, section 7.1) in their strictest form: no extensions, no trailers, CRLF exactly.

use super::BadRequest;

/// Where in a chunked body the next byte stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Chunked {
    /// At the beginning of a size.
    #[default]
    Size,
    /// This many bytes of data to come.
    Data(u32),
    /// At the CRLF after data.
    DataEnd,
    /// At the CRLF after the chunk of size zero.
    End,
}

/// How far a look went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eaten {
    /// Bytes that are checked.
    pub(super) bytes: usize,
    /// Whether the body ends with them.
    pub(super) end: bool,
}

/// Digits of a size. Eight say up to 4 GiB, which is more than anyone sends in one chunk.
const MAX_DIGITS: usize = 8;

impl Chunked {
    /// Eats whole elements: a size with its CRLF, any part of the data, the CRLF after it. What comes before something
    /// that is refused is eaten first, so that the refusal does not depend on how the bytes were cut.
    pub(super) fn advance(&mut self, input: &[u8]) -> Result<Eaten, BadRequest> {
        let mut bytes = 0;
        while let Some(rest) = input.get(bytes..).filter(|rest| !rest.is_empty()) {
            let element = match self.element(rest) {
                Ok(Some(element)) => element,
                Ok(None) => break,
                Err(why) if bytes == 0 => return Err(why),
                Err(_) => break,
            };
            bytes += element.bytes;
            if element.end {
                return Ok(Eaten { bytes, end: true });
            }
        }
        Ok(Eaten { bytes, end: false })
    }

    fn element(&mut self, rest: &[u8]) -> Result<Option<Eaten>, BadRequest> {
        let (bytes, next) = match *self {
            Self::Size => match size(rest)? {
                Some((bytes, 0)) => (bytes, Self::End),
                Some((bytes, size)) => (bytes, Self::Data(size)),
                None => return Ok(None),
            },
            Self::Data(left) => {
                let bytes = usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                let left = left.saturating_sub(u32::try_from(bytes).unwrap_or(u32::MAX));
                (bytes, if left == 0 { Self::DataEnd } else { Self::Data(left) })
            }
            Self::DataEnd => match crlf(rest, BadRequest::ChunkEnd)? {
                Some(bytes) => (bytes, Self::Size),
                None => return Ok(None),
            },
            Self::End => match crlf(rest, BadRequest::Trailer)? {
                Some(bytes) => return Ok(Some(Eaten { bytes, end: true })),
                None => return Ok(None),
            },
        };
        *self = next;
        Ok(Some(Eaten { bytes, end: false }))
    }
}

/// A size line: its length with CRLF, and the size.
fn size(rest: &[u8]) -> Result<Option<(usize, u32)>, BadRequest> {
    let mut size = 0_u32;
    for (index, byte) in rest.iter().enumerate() {
        match char::from(*byte).to_digit(16) {
            Some(digit) if index < MAX_DIGITS => size = size << 4 | digit,
            Some(_) => return Err(BadRequest::ChunkSize),
            None if index == 0 => return Err(BadRequest::ChunkSize),
            None => {
                let end = crlf(rest.get(index..).unwrap_or_default(), BadRequest::ChunkSize)?;
                return Ok(end.map(|end| (index + end, size)));
            }
        }
    }
    Ok(None)
}

fn crlf(rest: &[u8], otherwise: BadRequest) -> Result<Option<usize>, BadRequest> {
    match rest {
        [b'\r', b'\n', ..] => Ok(Some(2)),
        [b'\r'] => Ok(None),
        _ => Err(otherwise),
    }
}
