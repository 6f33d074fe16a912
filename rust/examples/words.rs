// Counts the words of its input, on loam's heap:
//
//     cargo run --example words < README.md
use std::collections::HashMap;
use std::io::{self, Read};

#[global_allocator]
static HEAP: loam::Heap = loam::Heap;

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let mut count: HashMap<&str, usize> = HashMap::new();
    for word in text.split_whitespace() {
        *count.entry(word).or_default() += 1;
    }
    let mut most: Vec<_> = count.into_iter().collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    for (word, n) in most.iter().take(5) {
        println!("{:6} {}", n, word);
    }
    Ok(())
}
