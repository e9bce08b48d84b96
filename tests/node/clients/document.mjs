// The documents that the clients send: every field of the schema that the service shows, so that a new one is compared
// too.
import { getNamedType, isEnumType, isInterfaceType, isObjectType, isRequiredArgument, isScalarType } from 'graphql';

/** Everything of a type, and below it whatever has no end only once more. */
export function everything(type, above = []) {
  if (isScalarType(type) || isEnumType(type)) return '';
  if (isInterfaceType(type)) throw new Error(`${type.name}: name the types of an interface`);
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const below = getNamedType(field.type);
    const twice = above.filter((one) => one === below).length + (type === below ? 1 : 0);
    // A log lies in a log; a category has actions, which have a category, and so on.
    const endless = isObjectType(below) && twice > (type === below ? 1 : 0);
    return endless || field.args.some(isRequiredArgument)
      ? []
      : [`${field.name} ${everything(below, [...above, type])}`];
  });
  return `{ ${fields.join(' ')} }`;
}

/** The documents, by the name of their operation. */
export function documents(schema) {
  const of = (name) => everything(schema.getType(name));
  return {
    Page: `query Page($first: Int!, $after: String) { auditEvents(first: $first, after: $after) ${of('AuditEventConnection')} }`,
    Session: `query Session { viewer ${of('Viewer')} catalog ${of('Catalog')} actors(first: 100) ${of('Actor')} }`,
    Event: `query Event($id: ID!) { auditEvent(id: $id) ${of('AuditEvent')} }`,
    Log: `query Log($id: ID!) { node(id: $id) { id ... on AuditLog ${of('AuditLog')} } }`,
    Record: `mutation Record($input: RecordAuditEventInput!) { recordAuditEvent(input: $input) ${of('RecordAuditEventPayload')} }`,
    Batch: `mutation Batch($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) ${of('RecordAuditEventsPayload')} }`,
    Delete: `mutation Delete($input: DeleteAuditLogInput!) { deleteAuditLog(input: $input) ${of('DeleteAuditLogPayload')} }`,
  };
}
