use super::facts::{Facts, Mac, Mark};
use super::{
    ExplainError, Explained, Explanation, Failure, Form, INPUT_BYTES_MAX, LIMITS, Node, Options, correlate, data,
    detect, element, package_0, packing, provisioning, push, syncml,
};
use crate::push::sms::Assembly;

/// Explains inputs, for example the messages of a session: takes the packing off each, finds out what it is, reads it, and
/// matches what belongs together, in one input and across them.
///
/// Never fails: what cannot be read is in [`Explanation::failures`], and beside it stands all that could.
#[must_use]
pub fn explain(inputs: &[&[u8]], options: &Options<'_>) -> Explanation {
    let mut run = Run { facts: Facts::default(), assembly: Assembly::default(), options };
    let mut inputs: Vec<(Explained, Option<ExplainError>)> = inputs.iter().map(|input| run.input(input)).collect();
    if let Some((last, _)) = inputs.last_mut() {
        last.parts.extend(run.missing_parts());
    }
    let mut explanation = Explanation::default();
    let matches = correlate::Matches::of(&run.facts);
    for (explained, error) in &mut inputs {
        if let Some(error) = error.take() {
            explanation.failures.push(Failure { at: 0, path: String::new(), error });
        }
        correlate::resolve(&mut explained.parts, &run.facts, &matches, &options.keys);
        for part in &mut explained.parts {
            collect(part, "", &mut explanation.failures);
        }
    }
    explanation.inputs = inputs.into_iter().map(|(explained, _)| explained).collect();
    explanation
}

/// Gives each failure its path and lists it.
fn collect(node: &mut Node, around: &str, failures: &mut Vec<Failure>) {
    let path = if around.is_empty() { node.name.clone() } else { format!("{around}/{}", node.name) };
    for child in &mut node.children {
        collect(child, &path, failures);
    }
    if let Some(failure) = &mut node.failure {
        failure.path = path;
        failures.push(failure.clone());
    }
}

/// One input being explained.
pub(super) struct Run<'a, 'o> {
    pub(super) facts: Facts,
    /// Short messages of all inputs.
    pub(super) assembly: Assembly,
    pub(super) options: &'a Options<'o>,
}

impl Run<'_, '_> {
    fn input(&mut self, input: &[u8]) -> (Explained, Option<ExplainError>) {
        let mut explained = Explained::default();
        let error = self.read(input, &mut explained).err();
        (explained, error)
    }

    fn read(&mut self, input: &[u8], explanation: &mut Explained) -> Result<(), ExplainError> {
        if input.len() > INPUT_BYTES_MAX {
            return Err(ExplainError::TooLarge { octets: input.len() });
        }
        let unpacked = packing::unpack(input, self.options.packing)?;
        let octets = unpacked.octets;
        explanation.packing = Some(unpacked.packing);
        if octets.trim_ascii().is_empty() {
            return Err(ExplainError::Empty);
        }
        // Lines of hexadecimal may be one dump or several short messages.
        let form = self.options.form;
        let asked = matches!(form, Some(Form::Sms | Form::Tpdu));
        let several = |lines: &[Vec<u8>]| lines.len() > 1 && lines.iter().all(|it| push::is_short_message(it));
        if (asked && unpacked.lines.len() > 1) || (form.is_none() && several(&unpacked.lines)) {
            explanation.form = Some(form.unwrap_or(Form::Sms));
            explanation.parts = self.short_messages(&unpacked.lines, form, 0);
            return Ok(());
        }
        let form = form.or_else(|| detect::detect(&octets, &LIMITS)).ok_or(ExplainError::NotRecognised)?;
        explanation.form = Some(form);
        explanation.parts = self.octets(&octets, form, 0);
        if let Some(header) = self.options.hmac {
            self.facts.macs.push(Mac { header: header.to_owned(), body: octets });
            let mut field = Node::field("x-syncml-hmac", 0, header);
            field.at = None;
            field.mark = Some(Mark::Mac(self.facts.macs.len() - 1));
            explanation.parts.insert(0, field);
        }
        Ok(())
    }

    /// What octets of this form say.
    pub(super) fn octets(&mut self, octets: &[u8], form: Form, depth: usize) -> Vec<Node> {
        match form {
            Form::Xml => vec![annotated(element::xml(octets), &mut self.facts, self.options, depth)],
            Form::Wbxml => vec![annotated(element::wbxml(octets), &mut self.facts, self.options, depth)],
            Form::Package0 => vec![package_0::explain(octets, &mut self.facts)],
            Form::Wsp => vec![self.wsp(octets, depth)],
            Form::Sms | Form::Tpdu => self.short_messages(&[octets.to_vec()], Some(form), depth),
            Form::Http => self.http(octets, depth),
            Form::Pcap => self.pcap(octets, depth),
        }
    }
}

/// The document with what its elements mean.
pub(super) fn annotated(mut document: Node, facts: &mut Facts, options: &Options<'_>, depth: usize) -> Node {
    let mut about = String::new();
    if let Some(root) = document.children.first_mut() {
        match root.name.as_str() {
            "SyncML" => about = syncml::annotate(root, facts, options, depth),
            "wap-provisioningdoc" => provisioning::annotate(root, options),
            _ => root.each(&mut |node| data::hide(node, options)),
        }
    }
    if about.is_empty() { document } else { document.noted(about) }
}
