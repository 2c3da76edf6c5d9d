//! JSON as it comes, with decoded values searched and field rules followed.
//!
//! The reader accepts RFC 8259 and nothing else: one value, no byte order mark, no comments. It keeps the stack of open
//! containers, at most one incomplete token, and nothing of what it has released. A string whose end is in sight and that
//! holds no escape is looked at where it lies; any other goes through a [`Decoder`].

mod across;
mod feed;
mod field;
mod number;
mod path;
mod plain;
mod scalar;
mod string;

use across::Across;
use feed::Feed;
use field::{MAX_LAST_FOUR, Masked, mask_field};
use number::Number;
use path::Path;
use plain::{plain_length, special};
use string::{Decoder, Problem, Role, invalid};

use crate::detect::Text;
use crate::pointer::MAX_TOKEN;
use crate::scan::{Piece, Span, cut, scan};
use crate::{Counts, Plan, Withheld};

/// The longest decoded key that could equal a pointer's token: folding case makes it at most three times shorter.
const MAX_KEY: usize = 3 * MAX_TOKEN + 1;

/// One JSON document.
pub(crate) struct Json {
    reader: Reader,
    across: Option<Across>,
}

impl Json {
    pub(crate) fn new(plan: &Plan) -> Self {
        Self { reader: Reader::new(plan), across: plan.needles.across_json.then(Across::default) }
    }

    /// Takes the next bytes, which end with a whole character.
    pub(crate) fn push(
        &mut self,
        plan: &Plan,
        data: &[u8],
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        match &mut self.across {
            Some(across) => across.push(plan, data, &mut self.reader, counts, out),
            None => self.reader.push(plan, data, counts, out),
        }
    }

    /// Takes the end of the document.
    pub(crate) fn finish(
        &mut self,
        plan: &Plan,
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        if let Some(across) = &mut self.across {
            across.finish(plan, &mut self.reader, counts, out)?;
        }
        self.reader.finish(plan, counts, out)
    }

    /// Takes a line break, which ends every token: after it nothing is held back.
    pub(crate) fn end_line(
        &mut self,
        plan: &Plan,
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        self.push(plan, b"\n", counts, out)?;
        match &mut self.across {
            Some(across) => across.finish(plan, &mut self.reader, counts, out),
            None => Ok(()),
        }
    }

    /// How many containers are open.
    pub(crate) fn depth(&self) -> usize {
        self.reader.path.depth()
    }

    /// Whether the one value has been read and released in full.
    pub(crate) fn is_done(&self) -> bool {
        self.reader.expect == Expect::Nothing && self.held() == 0
    }

    /// How many bytes are held back.
    pub(crate) fn held(&self) -> usize {
        self.reader.held() + self.across.as_ref().map_or(0, Across::held)
    }
}

/// What may come next between tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

/// The token that the reader is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    None,
    String(Role),
    Number { state: Number, rule: Option<usize> },
    Literal { rest: &'static [u8], rule: Option<usize> },
}

/// Reads one document and releases it.
struct Reader {
    offset: u64,
    expect: Expect,
    token: Token,
    path: Path,
    /// The depth of the container that is being masked as a whole.
    muted: Option<usize>,
    string: Decoder,
    /// The number so far, while it is held back.
    number: Vec<u8>,
    spans: Vec<Span>,
}

impl Reader {
    fn new(plan: &Plan) -> Self {
        Self {
            offset: 0,
            expect: Expect::Value,
            token: Token::None,
            path: Path::new(plan),
            muted: None,
            string: Decoder::default(),
            number: Vec::new(),
            spans: Vec::new(),
        }
    }

    fn push(
        &mut self,
        plan: &Plan,
        data: &[u8],
        counts: &mut Counts,
        out: &mut Vec<u8>,
    ) -> Result<(), Withheld> {
        let candidate = plan.needles.candidate(data, 0);
        let mut feed = Feed { plan, data, passed: 0, counts, out, candidate };
        let mut at = 0;
        while at < data.len() {
            at = match self.token {
                Token::None => self.structure(&mut feed, at)?,
                Token::String(role) => self.string(&mut feed, at, role)?,
                Token::Number { state, rule } => self.number(&mut feed, at, state, rule)?,
                Token::Literal { rest, rule } => self.literal(&mut feed, at, rest, rule)?,
            };
        }
        if let Token::String(_) = self.token {
            self.string.release(false, &mut feed);
        }
        if self.muted.is_none() {
            feed.release(at);
        }
        self.offset += data.len() as u64;
        Ok(())
    }

    fn finish(&mut self, plan: &Plan, counts: &mut Counts, out: &mut Vec<u8>) -> Result<(), Withheld> {
        // A number at the root ends with the document; white space after it changes nothing.
        if let Token::Number { state, rule } = self.token {
            let mut feed = Feed { plan, data: b"", passed: 0, counts, out, candidate: 0 };
            self.end_number(&mut feed, 0, state, rule)?;
        }
        if self.expect == Expect::Nothing && self.token == Token::None {
            Ok(())
        } else {
            Err(Withheld::Truncated)
        }
    }

    fn held(&self) -> usize {
        self.number.len() + if matches!(self.token, Token::String(_)) { self.string.held() } else { 0 }
    }

    fn fail(&self, at: usize, problem: Problem) -> Withheld {
        invalid(self.offset + at as u64, problem)
    }

    /// White space, punctuation, and the beginning of a token.
    fn structure(&mut self, feed: &mut Feed<'_>, at: usize) -> Result<usize, Withheld> {
        use Expect::{Colon, CommaOrEnd, Key, KeyOrEnd, Nothing, Value, ValueOrEnd};
        let Some(&byte) = feed.data.get(at) else { return Ok(at) };
        match (byte, self.expect) {
            (b' ' | b'\t' | b'\n' | b'\r', _) => {}
            (b'"', Key | KeyOrEnd) => return self.begin_string(feed, at, Role::Key),
            (b'"', Value | ValueOrEnd) => {
                let role = self.begin_value(feed.plan).map_or(Role::Value, Role::Field);
                return self.begin_string(feed, at, role);
            }
            (b'{' | b'[', Value | ValueOrEnd) => self.open(feed, at, byte == b'[')?,
            (b'}', KeyOrEnd) | (b']', ValueOrEnd) => self.close(feed, at),
            (b'}' | b']', CommaOrEnd) if self.path.in_array() == (byte == b']') => self.close(feed, at),
            (b',', CommaOrEnd) => self.expect = if self.path.in_array() { Value } else { Key },
            (b':', Colon) => self.expect = Value,
            (b'-' | b'0'..=b'9', Value | ValueOrEnd) => {
                let rule = self.begin_value(feed.plan);
                self.token = Token::Number { state: Number::Start, rule };
                return Ok(at);
            }
            (b't' | b'f' | b'n', Value | ValueOrEnd) => {
                let rule = self.begin_value(feed.plan);
                if rule.is_some() {
                    feed.release(at);
                }
                let rest: &[u8] = match byte {
                    b't' => b"true",
                    b'f' => b"false",
                    _ => b"null",
                };
                self.token = Token::Literal { rest, rule };
                return Ok(at);
            }
            (_, Nothing) => return Err(self.fail(at, "something follows the value")),
            (_, Key | KeyOrEnd) => return Err(self.fail(at, "expected a member's name")),
            (_, Colon) => return Err(self.fail(at, "expected a colon")),
            (_, CommaOrEnd) => return Err(self.fail(at, "expected a comma or the end")),
            (_, Value | ValueOrEnd) => return Err(self.fail(at, "expected a value")),
        }
        Ok(at + 1)
    }

    /// A value begins: the rule that masks it, if one does and it is not within one that is masked already.
    fn begin_value(&mut self, plan: &Plan) -> Option<usize> {
        if plan.fields.is_empty() {
            return None;
        }
        if self.path.in_array() {
            self.path.element(plan);
        }
        if self.muted.is_some() { None } else { self.path.rule(plan) }
    }

    fn end_value(&mut self) {
        self.expect = if self.path.depth() == 0 { Expect::Nothing } else { Expect::CommaOrEnd };
        self.token = Token::None;
    }

    fn open(&mut self, feed: &mut Feed<'_>, at: usize, is_array: bool) -> Result<(), Withheld> {
        if let Some(rule) = self.begin_value(feed.plan) {
            feed.release(at);
            mask_field(feed, rule, Masked::Container);
            self.muted = Some(self.path.depth());
        }
        self.path.open(feed.plan, is_array)?;
        self.expect = if is_array { Expect::ValueOrEnd } else { Expect::KeyOrEnd };
        Ok(())
    }

    fn close(&mut self, feed: &mut Feed<'_>, at: usize) {
        self.path.close();
        if self.muted == Some(self.path.depth()) {
            self.muted = None;
            feed.skip(at + 1);
        }
        self.end_value();
    }

    /// A quotation mark opens a string.
    fn begin_string(&mut self, feed: &mut Feed<'_>, at: usize, role: Role) -> Result<usize, Withheld> {
        let begin = at + 1;
        let rest = feed.data.get(begin..).unwrap_or_default();
        let (len, triggered) = plain_length(rest);
        let end = begin + len;
        if feed.data.get(end) == Some(&b'"') {
            let text = rest.get(..len).unwrap_or_default();
            match role {
                Role::Field(rule) => {
                    feed.release(at);
                    mask_field(feed, rule, Masked::String(std::str::from_utf8(text).ok()));
                    feed.skip(end + 1);
                }
                Role::Key | Role::Value if self.muted.is_some() => {}
                Role::Key | Role::Value => {
                    if triggered || feed.suspects(begin, end) {
                        self.mask_in_place(feed, begin, end);
                    }
                }
            }
            if role == Role::Key && !feed.plan.fields.is_empty() {
                self.path.key(feed.plan, std::str::from_utf8(text).ok());
            }
            self.end_string(role);
            return Ok(end + 1);
        }
        let shown = !matches!(role, Role::Field(_)) && self.muted.is_none();
        if self.muted.is_none() {
            feed.release(if shown { begin } else { at });
            feed.skip(begin);
        }
        let prefix = match role {
            Role::Key if !feed.plan.fields.is_empty() => MAX_KEY,
            Role::Field(_) => MAX_LAST_FOUR,
            Role::Key | Role::Value => 0,
        };
        self.string.begin(shown, prefix);
        self.token = Token::String(role);
        Ok(begin)
    }

    /// Masks the matches in a string that lies before us whole and without escapes.
    fn mask_in_place(&mut self, feed: &mut Feed<'_>, begin: usize, end: usize) {
        let text = feed.data.get(begin..end).unwrap_or_default();
        scan(feed.plan, &Text::new(text, true), 0, &mut self.spans);
        if self.spans.is_empty() {
            return;
        }
        feed.release(begin);
        cut(&mut self.spans, 0, text.len(), &mut 0, |piece| match piece {
            Piece::Keep(from, to) => feed.out.extend_from_slice(text.get(from..to).unwrap_or_default()),
            Piece::Mask(class) => feed.plan.mask(class, feed.counts, feed.out),
        });
        feed.skip(end);
    }

    /// Goes on with a string that is decoded as it comes.
    fn string(&mut self, feed: &mut Feed<'_>, at: usize, role: Role) -> Result<usize, Withheld> {
        let rest = feed.data.get(at..).unwrap_or_default();
        let Some(&first) = rest.first() else { return Ok(at) };
        let next = if self.string.in_escape() || first == b'\\' {
            self.string.escaped(first, feed).map_err(|problem| self.fail(at, problem))?;
            at + 1
        } else if first == b'"' {
            self.string.release(true, feed);
            match role {
                Role::Field(rule) => mask_field(feed, rule, Masked::String(self.string.whole())),
                Role::Key => self.path.key(feed.plan, self.string.whole()),
                Role::Value => {}
            }
            self.end_string(role);
            // The closing mark of a string that is shown is released with what follows.
            let shown = !matches!(role, Role::Field(_));
            if self.muted.is_none() {
                feed.skip(if shown { at } else { at + 1 });
            }
            return Ok(at + 1);
        } else if first < b' ' {
            return Err(self.fail(at, "a string holds a control character"));
        } else {
            let len = special(rest);
            self.string.plain(rest.get(..len).unwrap_or_default(), feed);
            at + len
        };
        feed.skip(next);
        Ok(next)
    }

    fn end_string(&mut self, role: Role) {
        match role {
            Role::Key => {
                self.expect = Expect::Colon;
                self.token = Token::None;
            }
            Role::Value | Role::Field(_) => self.end_value(),
        }
    }
}
