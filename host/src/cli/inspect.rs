//! `trident inspect FILE`: what a blob holds.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trident::graph::{Node, Op, OpSet};
use trident::{Blob, Head, HeadSet, InputSlot, Network};

use super::blob_file::{self, printable};
use super::say;
use super::table::{table, whole};
use crate::hex;

/// What to inspect.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A blob, *.tri
    file: PathBuf,
    /// Run the golden vectors that the blob carries
    #[arg(long)]
    verify: bool,
}

/// Reads, checks and describes a blob.
///
/// # Errors
/// If it cannot be read, breaks a rule of the format, or fails its golden vectors.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let path = args.file.display();
    let bytes = blob_file::read(&args.file).with_context(|| format!("cannot read {path}"))?;
    let blob = Blob::new_exact(bytes.as_ref()).with_context(|| format!("{path} is refused"))?;
    let mut arena = blob_file::arena_for(&blob).with_context(|| format!("{path} is refused"))?;
    let mut network = Network::load(blob, arena.as_mut()).with_context(|| format!("{path} is refused"))?;
    if args.verify {
        network
            .self_test()
            .with_context(|| format!("{path} fails its own golden vectors"))?;
    }
    if json {
        return super::print_json(&describe(&blob, args.verify));
    }
    print(&blob)?;
    if args.verify {
        say!(
            "golden vectors: {} run, every answer equal to the bit",
            blob.metadata().golden.iter().count()
        );
    }
    Ok(())
}

fn describe(blob: &Blob<'_>, verified: bool) -> Value {
    let (header, metadata, graph) = (blob.header(), blob.metadata(), blob.graph());
    let inputs: Vec<Value> = metadata
        .inputs
        .iter()
        .map(|input| {
            json!({"slot": input.slot, "shape": [input.shape.h, input.shape.w, input.shape.c],
                   "names": input.names.iter().collect::<Vec<_>>()})
        })
        .collect();
    let heads: Vec<Value> = metadata
        .heads
        .iter()
        .map(|head| {
            json!({"head": head.head.name(), "name": head.name, "classes": head.classes.iter().collect::<Vec<_>>(),
                   "macs": graph.macs(head.head.into())})
        })
        .collect();
    let nodes: Vec<Value> = graph
        .nodes()
        .map(|node| {
            json!({"op": format!("{:?}", node.op), "heads": names(node.heads), "macs": graph.node_macs(&node),
                   "shape": shape(blob, &node)})
        })
        .collect();
    let provenance = metadata.provenance;
    json!({
        "format_version": header.version, "arithmetic": metadata.arithmetic, "sequence": header.sequence,
        "blob_bytes": header.total_len, "parameter_bytes": blob.parameters().len(), "arena_bytes": graph.arena_len(),
        "crc32": format!("{:08x}", header.crc), "sha256": hex::encode(&Sha256::digest(blob.bytes())),
        "inputs": inputs, "heads": heads, "nodes": nodes,
        "features": features(blob),
        "golden_vectors": metadata.golden.iter().count(), "golden_verified": verified,
        "provenance": {
            "tool": provenance.tool, "model": provenance.model, "data_sha256": hex::encode(&provenance.data_sha256),
            "metrics": provenance.metrics.iter().map(|(name, value)| (name.to_string(), value.into()))
                .collect::<serde_json::Map<_, _>>(),
        },
    })
}

fn print(blob: &Blob<'_>) -> anyhow::Result<()> {
    let (header, metadata, graph) = (blob.header(), blob.metadata(), blob.graph());
    let provenance = metadata.provenance;
    say!(
        "model \"{}\", sequence {}, {}, written by {}",
        printable(provenance.model),
        header.sequence,
        metadata.arithmetic,
        printable(provenance.tool)
    );
    say!(
        "blob {} bytes, of which parameters {}; arena {} bytes; crc32 {:08x}; data sha256 {}",
        whole(header.total_len.into()),
        whole(blob.parameters().len() as u64),
        whole(graph.arena_len() as u64),
        header.crc,
        hex::encode(&provenance.data_sha256)
    );
    for input in metadata.inputs.iter() {
        let names: Vec<String> = input.names.iter().map(printable).collect();
        let what = match input.slot {
            InputSlot::Picture => format!("RGB picture {}×{}", input.shape.h, input.shape.w),
            _ => format!("{} readings: {}", input.shape.c, names.join(", ")),
        };
        say!("input {:<15} {what}", format!("{:?}", input.slot).to_lowercase());
    }
    for head in metadata.heads.iter() {
        let classes: Vec<String> = head.classes.iter().map(printable).collect();
        let gives = if head.head == Head::Regression {
            "a number".into()
        } else {
            classes.join(", ")
        };
        let macs = whole(graph.macs(head.head.into()));
        let (head, name) = (head.head.name(), printable(head.name));
        say!("head  {head:<15} {name} → {gives}; {macs} MACs");
    }
    for (name, value) in provenance.metrics.iter() {
        say!("figure at export  {} {value:.4}", printable(name));
    }
    let mut nodes = table(&["node", "output", "heads", "MACs"]);
    for (index, node) in graph.nodes().enumerate() {
        let side = |n: u16| n.to_string();
        let shape = shape(blob, &node).map(side).join("×");
        nodes.add_row([
            format!("{index:>2} {:?}", node.op),
            shape,
            names(node.heads).join(" "),
            whole(graph.node_macs(&node)),
        ]);
    }
    say!("{nodes}");
    say!("features of trident that run it: {}", features(blob).join(" "));
    Ok(())
}

/// The features that an engine needs which has no other operators than this model.
fn features(blob: &Blob<'_>) -> Vec<&'static str> {
    let operators: OpSet = blob.graph().nodes().map(|node| node.op).collect();
    operators.iter().map(Op::feature).collect()
}

/// `[h, w, c]` of what a node makes, or of what an output node takes out.
fn shape(blob: &Blob<'_>, node: &Node) -> [u16; 3] {
    let tensor = if node.op.is_output() { node.input } else { node.output };
    let shape = blob.graph().tensor(tensor.into()).map(|tensor| tensor.shape);
    shape.map_or([0; 3], |shape| [shape.h, shape.w, shape.c])
}

fn names(heads: HeadSet) -> Vec<&'static str> {
    heads.iter().map(Head::name).collect()
}
