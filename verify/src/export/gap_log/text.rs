//! The text itself: a header for each tensor, then its rows.
//!
//! ```text
//! Node: S3_conv1, Argument: Out, Dim: 3, [1][1][6][14][14] ItemSize: 1
//! D0: 0
//! D1: 0 - D2:0..14
//!  -128 -12 5 …
//! ```
//!
//! Five extents, of which the last `Dim` count; `D<k>` counts the k-th of those. At most 30 values
//! a line, a space before each.

use std::fmt::Write;

/// A tensor of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogTensor {
    /// `S<step>_<name>`.
    pub node: String,
    /// `In`, `Filter`, `Bias`, `Out`, …
    pub argument: String,
    /// One to five extents, the last contiguous.
    pub shape: Vec<usize>,
    /// Bytes of a value.
    pub item_size: usize,
    /// Row-major.
    pub values: Vec<i32>,
}

/// Values on a line.
const A_LINE: usize = 30;

/// Extents of a header.
const EXTENTS: usize = 5;

/// The tensors one after the other. Shapes of five extents at most, none of them 0, and as many
/// values as they say.
pub fn write(tensors: &[LogTensor]) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for tensor in tensors {
        let LogTensor {
            node,
            argument,
            shape,
            item_size,
            values,
        } = tensor;
        let dim = shape.len();
        let ones = std::iter::repeat_n(&1, EXTENTS.saturating_sub(dim));
        let extents: String = ones
            .chain(shape)
            .map(|extent| format!("[{extent}]"))
            .collect();
        let _ = writeln!(
            text,
            "Node: {node}, Argument: {argument}, Dim: {dim}, {extents} ItemSize: {item_size}"
        );
        let width = shape.last().copied().unwrap_or(1);
        for (row, values) in values.chunks(width).enumerate() {
            for (axis, index) in begun(shape, row) {
                let _ = writeln!(text, "D{axis}: {index}");
            }
            let _ = match dim.checked_sub(2) {
                Some(axis) => writeln!(
                    text,
                    "D{axis}: {} - D{}:0..{width}",
                    row % shape[axis],
                    axis + 1
                ),
                None => writeln!(text, "D0:0..{width}"),
            };
            for line in values.chunks(A_LINE) {
                for value in line {
                    let _ = write!(text, " {value}");
                }
                text.push('\n');
            }
        }
    }
    text
}

/// Of the axes before that of the rows, those on which a new index begins with this row.
fn begun(shape: &[usize], row: usize) -> impl Iterator<Item = (usize, usize)> {
    let before = shape.len().saturating_sub(2);
    (0..before).filter_map(move |axis| {
        let rows: usize = shape[axis + 1..shape.len() - 1].iter().product();
        row.is_multiple_of(rows)
            .then(|| (axis, row / rows % shape[axis]))
    })
}

/// A log that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A header that is none.
    #[error(
        "line {line}: {header:?} is no header: {why}; expected Node: <name>, Argument: <name>, \
         Dim: <d>, [1][1][c][h][w] ItemSize: <bytes>"
    )]
    Header {
        /// Counted from 1.
        line: usize,
        /// As far as it is shown.
        header: String,
        /// What is wrong.
        why: &'static str,
    },
    /// More values than the log has characters.
    #[error("line {line}: {node} is said to have {shape:?} values, more than the log can hold")]
    TooLarge {
        /// Counted from 1.
        line: usize,
        /// The node.
        node: String,
        /// The shape claimed.
        shape: Vec<usize>,
    },
    /// Rows or planes that do not follow each other.
    #[error(
        "line {line}: {node}, {argument}: D{axis} is {got}, expected {expected}: lines of the log are lost"
    )]
    Order {
        /// Counted from 1.
        line: usize,
        /// The node.
        node: String,
        /// Its argument.
        argument: String,
        /// The axis that counts wrongly.
        axis: usize,
        /// The index that should come.
        expected: usize,
        /// The one that comes.
        got: usize,
    },
    /// A row of another length.
    #[error(
        "line {line}: {node}, {argument}: row {row} has {got} values, expected {expected}: lines of the log are lost \
         or mixed with others; a time stamp before each line must be taken away"
    )]
    Row {
        /// Where the row ends, counted from 1.
        line: usize,
        /// The node.
        node: String,
        /// Its argument.
        argument: String,
        /// Counted from 0 through the whole tensor.
        row: usize,
        /// Values that it should have.
        expected: usize,
        /// Values that it has.
        got: usize,
    },
    /// A tensor that ends early.
    #[error(
        "line {line}: {node}, {argument} ends after {got} of {expected} rows; log the whole run, and without \
         time stamps"
    )]
    Truncated {
        /// Where it ends, counted from 1.
        line: usize,
        /// The node.
        node: String,
        /// Its argument.
        argument: String,
        /// Rows that it should have.
        expected: usize,
        /// Rows that it has.
        got: usize,
    },
    /// A value that its bytes do not hold.
    #[error("line {line}: {node}, {argument}: {value} is no value of {item_size} bytes")]
    Value {
        /// Counted from 1.
        line: usize,
        /// The node.
        node: String,
        /// Its argument.
        argument: String,
        /// The value.
        value: String,
        /// Bytes of a value.
        item_size: usize,
    },
    /// No tensor at all.
    #[error(
        "holds no tensor; build the model with GRAPH_DUMP_TENSOR, so that the board prints \
         Node: <name>, Argument: Out, …"
    )]
    Empty,
}

/// The tensors of a log, among whatever else a board prints.
///
/// # Errors
/// A tensor that is damaged or not whole, or none at all.
pub fn parse(text: &str) -> Result<Vec<LogTensor>, LogError> {
    let mut tensors = Vec::new();
    let mut open: Option<Reading> = None;
    let mut last = 0;
    for (at, content) in text.lines().enumerate() {
        let line = at + 1;
        last = line;
        if let Some(header) = header_of(content) {
            if let Some(reading) = open.take() {
                tensors.push(reading.end(line)?);
            }
            open = Some(Reading::begin(line, header, text.len())?);
        } else if let Some(reading) = &mut open {
            if let Some(counts) = counts_of(content) {
                reading.count(line, &counts)?;
            } else if content.starts_with([' ', '\t']) {
                reading.values(line, content)?;
            }
        }
    }
    if let Some(reading) = open {
        tensors.push(reading.end(last)?);
    }
    match tensors.is_empty() {
        true => Err(LogError::Empty),
        false => Ok(tensors),
    }
}

/// From `Node:` on, if the line is about a tensor.
fn header_of(line: &str) -> Option<&str> {
    let header = &line[line.find("Node: ")?..];
    header.contains("Argument:").then_some(header)
}

/// What a line counts: an axis and its index, or that its row begins.
type Counts = Vec<(usize, Option<usize>)>;

/// `D1: 3 - D2:0..28` is axis 1 at 3, axis 2 from the start.
fn counts_of(line: &str) -> Option<Counts> {
    let one = |part: &str| {
        let (axis, index) = part.trim().strip_prefix('D')?.split_once(':')?;
        let index = match index.split_once("..") {
            // Only that it begins at 0: whether the end is in or out is no matter.
            Some((start, end)) => {
                end.trim().parse::<usize>().ok()?;
                (start.trim() == "0").then_some(None)?
            }
            None => Some(index.trim().parse().ok()?),
        };
        Some((axis.parse().ok()?, index))
    };
    line.split(" - ").map(one).collect()
}

/// A tensor while it is read.
struct Reading {
    tensor: LogTensor,
    /// Rows that it has.
    rows: usize,
    /// Rows that have begun.
    begun: usize,
    /// Values that the last of them still lacks.
    left: usize,
}

impl Reading {
    fn begin(line: usize, header: &str, log: usize) -> Result<Self, LogError> {
        let wrong = |why| LogError::Header {
            line,
            header: header.chars().take(120).collect(),
            why,
        };
        let field = |name: &str, end: &str| {
            let rest = header.split_once(name)?.1.trim_start();
            Some(rest.split(end).next().unwrap_or(rest).trim())
        };
        let node = field("Node: ", ",").filter(|node| !node.is_empty());
        let node = node.ok_or_else(|| wrong("it names no node"))?.to_owned();
        let argument = field("Argument:", ",").filter(|argument| !argument.is_empty());
        let argument = argument.ok_or_else(|| wrong("it names no argument"))?;
        let dim = field("Dim:", ",").and_then(|dim| dim.parse().ok());
        let dim = dim.filter(|dim| (1..=EXTENTS).contains(dim));
        let dim: usize = dim.ok_or_else(|| wrong("Dim is not 1 to 5"))?;
        let item_size = field("ItemSize:", " ").and_then(|size| size.parse().ok());
        let item_size = item_size.filter(|size| [1, 2, 4].contains(size));
        let item_size = item_size.ok_or_else(|| wrong("ItemSize is not 1, 2 or 4"))?;
        let extents = || -> Option<Vec<usize>> {
            let start = header.find('[')?;
            let end = header.rfind(']')?;
            let inner = header.get(start + 1..end)?;
            inner
                .split("][")
                .map(|extent| extent.trim().parse().ok())
                .collect()
        };
        let extents = extents().filter(|extents| extents.len() == EXTENTS && !extents.contains(&0));
        let extents = extents.ok_or_else(|| wrong("it has no five extents above 0"))?;
        let (ones, shape) = extents.split_at(EXTENTS - dim);
        if ones.iter().any(|&extent| extent != 1) {
            return Err(wrong("it has more extents than Dim says"));
        }
        let shape = shape.to_vec();
        let count = (shape.iter()).try_fold(1usize, |count, &extent| count.checked_mul(extent));
        // A value is two characters at least.
        let Some(count) = count.filter(|count| *count <= log / 2) else {
            return Err(LogError::TooLarge { line, node, shape });
        };
        let width = shape.last().copied().unwrap_or(1);
        Ok(Self {
            tensor: LogTensor {
                node,
                argument: argument.to_owned(),
                shape,
                item_size,
                values: Vec::with_capacity(count),
            },
            rows: count / width,
            begun: 0,
            left: 0,
        })
    }

    /// A line that counts; one of another tensor's form is no matter.
    fn count(&mut self, line: usize, counts: &Counts) -> Result<(), LogError> {
        if self.begun == self.rows && self.left == 0 {
            return Ok(());
        }
        let shape = &self.tensor.shape;
        for &(axis, index) in counts {
            if axis >= shape.len() {
                return Ok(());
            }
            // How many rows an index of this axis has.
            let rows: usize = shape[axis + 1..].iter().rev().skip(1).product();
            match index {
                Some(got) if axis + 1 < shape.len() => {
                    self.row_ends(line)?;
                    let expected = self.begun / rows % self.tensor.shape[axis];
                    if got != expected {
                        return Err(LogError::Order {
                            line,
                            node: self.tensor.node.clone(),
                            argument: self.tensor.argument.clone(),
                            axis,
                            expected,
                            got,
                        });
                    }
                }
                None if axis + 1 == shape.len() => {
                    self.row_ends(line)?;
                    self.left = shape[axis];
                    self.begun += 1;
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// The row that is read must be whole.
    fn row_ends(&self, line: usize) -> Result<(), LogError> {
        match self.left {
            0 => Ok(()),
            left => Err(self.row(line, self.width() - left)),
        }
    }

    fn width(&self) -> usize {
        self.tensor.shape.last().copied().unwrap_or(1)
    }

    fn row(&self, line: usize, got: usize) -> LogError {
        LogError::Row {
            line,
            node: self.tensor.node.clone(),
            argument: self.tensor.argument.clone(),
            row: self.begun - 1,
            expected: self.width(),
            got,
        }
    }

    /// A line of values; one with anything else is not of this tensor.
    fn values(&mut self, line: usize, content: &str) -> Result<(), LogError> {
        let words = || content.split_whitespace();
        let is_integer = |word: &str| {
            let digits = word.strip_prefix('-').unwrap_or(word);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if self.left == 0 || !words().all(is_integer) {
            return Ok(());
        }
        let count = words().count();
        if count > self.left {
            return Err(self.row(line, self.width() - self.left + count));
        }
        for word in words() {
            let LogTensor { item_size, .. } = self.tensor;
            let fits = |value: &i64| match item_size {
                1 => (-128..=255).contains(value),
                2 => (-32_768..=65_535).contains(value),
                _ => i32::try_from(*value).is_ok(),
            };
            let value = word.parse().ok().filter(fits);
            let value = value.and_then(|value: i64| i32::try_from(value).ok());
            let value = value.ok_or_else(|| LogError::Value {
                line,
                node: self.tensor.node.clone(),
                argument: self.tensor.argument.clone(),
                value: word.chars().take(40).collect(),
                item_size,
            })?;
            self.tensor.values.push(value);
        }
        self.left -= count;
        Ok(())
    }

    /// The tensor, if it is whole.
    fn end(self, line: usize) -> Result<LogTensor, LogError> {
        self.row_ends(line)?;
        match self.begun == self.rows {
            true => Ok(self.tensor),
            false => Err(LogError::Truncated {
                line,
                node: self.tensor.node,
                argument: self.tensor.argument,
                expected: self.rows,
                got: self.begun,
            }),
        }
    }
}
