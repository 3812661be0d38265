"""The AWS SDKs, version 3 and 2, against stand-ins that verify the signature of each request."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.packages.actions import value_of
from tests.packages.site import Answer, Asked, Site

SECRET = "wJalrXUtnFEMI"
CREDENTIALS = f"{{ accessKeyId: 'AKID', secretAccessKey: '{SECRET}' }}"


def signed(asked: Asked) -> bool:
    """Whether the request carries the Signature Version 4 that its content calls for."""
    scheme, _, rest = asked.headers["authorization"].partition(" ")
    parts = dict(item.strip().split("=", 1) for item in rest.split(","))
    names = parts["SignedHeaders"].split(";")
    host = urlsplit(asked.url).netloc
    values = {**asked.headers, "host": host}
    query = "&".join(
        sorted(item if "=" in item else f"{item}=" for item in urlsplit(asked.url).query.split("&") if item)
    )
    digest = values.get("x-amz-content-sha256") or hashlib.sha256(asked.body).hexdigest()
    path = asked.path if "s3" in parts["Credential"] else quote(asked.path)
    lines = [asked.method, path, query, *(f"{name}:{' '.join(values[name].split())}" for name in names), ""]
    canonical = "\n".join([*lines, ";".join(names), digest])
    _, date, region, service, _ = parts["Credential"].split("/")
    scope = f"{date}/{region}/{service}/aws4_request"
    text = "\n".join([scheme, values["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for item in (date, region, service, "aws4_request"):
        key = hmac.digest(key, item.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex() == parts["Signature"]


def guarded(answer: Answer | Callable[[Asked], Answer]) -> Any:
    def route(asked: Asked) -> Answer:
        assert signed(asked), asked
        return answer(asked) if callable(answer) else answer

    return route


def table(asked: Asked) -> Answer:
    operation = asked.headers["x-amz-target"].rpartition(".")[2]
    if asked.json["TableName"] == "gone":
        kind = "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
        return Answer({"__type": kind, "message": "no table"}, status=400)
    item = {"id": {"S": "1"}, "n": {"N": "2"}, "tags": {"L": [{"S": "x"}]}}
    found = {
        "GetItem": {"Item": item},
        "Query": {"Items": [item], "Count": 1},
        "PutItem": {},
        "UpdateItem": {},
    }
    return Answer(found[operation], headers=(("content-type", "application/x-amz-json-1.0"),))


DYNAMODB = f"""
const {{ DynamoDBClient, GetItemCommand, ResourceNotFoundException }} = require('@aws-sdk/client-dynamodb');
const {{ DynamoDBDocumentClient, PutCommand, QueryCommand, GetCommand }} = require('@aws-sdk/lib-dynamodb');
const client = new DynamoDBClient({{ region: 'eu-west-1', credentials: {CREDENTIALS} }});
const docClient = DynamoDBDocumentClient.from(client);
const plain = await client.send(new GetItemCommand({{ TableName: 'T', Key: {{ id: {{ S: '1' }} }} }}));
await docClient.send(new PutCommand({{ TableName: 'T', Item: {{ id: '1', at: 5, list: ['a'] }} }}));
const found = await docClient.send(new QueryCommand({{ TableName: 'T', KeyConditionExpression: 'id = :id',
  ExpressionAttributeValues: {{ ':id': '1' }} }}));
let wrong; try {{ await docClient.send(new GetCommand({{ TableName: 'gone', Key: {{ id: '1' }} }})); }}
catch (e) {{ wrong = [e.name, e instanceof ResourceNotFoundException, e.$metadata.httpStatusCode]; }}
return [plain.Item.id.S, found.Items, wrong];
"""


@pytest.mark.large
def test_dynamodb_and_its_document_client(site: Site) -> None:
    site.on("POST", "https://dynamodb.eu-west-1.amazonaws.com/", guarded(table))
    packages = ("@aws-sdk/client-dynamodb@3.1162.0", "@aws-sdk/lib-dynamodb@3.1162.0")
    assert value_of(DYNAMODB, *packages, egress=site) == [
        "1", [{"id": "1", "n": 2, "tags": ["x"]}], ["ResourceNotFoundException", True, 400],
    ]  # fmt: skip
    assert site.asked[1].json["Item"] == {"id": {"S": "1"}, "at": {"N": "5"}, "list": {"L": [{"S": "a"}]}}


@pytest.mark.large
def test_s3(site: Site) -> None:
    bucket = "https://bucket.s3.eu-west-1.amazonaws.com"
    listing = "<ListBucketResult><Contents><Key>a.txt</Key><Size>5</Size></Contents><KeyCount>1</KeyCount></ListBucketResult>"
    site.on("PUT", f"{bucket}/a.txt", guarded(Answer(text="", headers=(("etag", '"1"'),))))
    site.on("GET", f"{bucket}/a.txt", guarded(Answer(text="hello")))
    site.on(
        "GET", f"{bucket}/", guarded(Answer(text=listing, headers=(("content-type", "application/xml"),)))
    )
    body = f"""
const {{ S3Client, PutObjectCommand, GetObjectCommand, ListObjectsV2Command }} = require('@aws-sdk/client-s3');
const client = new S3Client({{ region: 'eu-west-1', credentials: {CREDENTIALS} }});
const put = await client.send(new PutObjectCommand({{ Bucket: 'bucket', Key: 'a.txt', Body: 'hello' }}));
const got = await client.send(new GetObjectCommand({{ Bucket: 'bucket', Key: 'a.txt' }}));
const listed = await client.send(new ListObjectsV2Command({{ Bucket: 'bucket' }}));
return [put.ETag, await got.Body.transformToString(), listed.Contents[0].Key];
"""
    assert value_of(body, "@aws-sdk/client-s3@3.1162.0", egress=site) == ['"1"', "hello", "a.txt"]


def test_messages_functions_and_secrets(site: Site) -> None:
    site.on("POST", "https://sns.eu-west-1.amazonaws.com/", guarded(Answer(text=(
        "<PublishResponse><PublishResult><MessageId>m1</MessageId></PublishResult></PublishResponse>"),
        headers=(("content-type", "text/xml"),))))  # fmt: skip
    site.on("POST", "https://secretsmanager.eu-west-1.amazonaws.com/", guarded(Answer({"SecretString": "s"})))
    site.on(
        "POST",
        "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/f/invocations",
        guarded(Answer({"ok": 1})),
    )
    body = f"""
const {{ SNSClient, PublishCommand }} = require('@aws-sdk/client-sns');
const {{ SecretsManagerClient, GetSecretValueCommand }} = require('@aws-sdk/client-secrets-manager');
const {{ LambdaClient, InvokeCommand }} = require('@aws-sdk/client-lambda');
const options = {{ region: 'eu-west-1', credentials: {CREDENTIALS} }};
const sent = await new SNSClient(options).send(new PublishCommand({{ TopicArn: 'arn:t', Message: 'hi' }}));
const secret = await new SecretsManagerClient(options).send(new GetSecretValueCommand({{ SecretId: 'x' }}));
const called = await new LambdaClient(options).send(new InvokeCommand({{ FunctionName: 'f', Payload: JSON.stringify({{ a: 1 }}) }}));
return [sent.MessageId, secret.SecretString, JSON.parse(Buffer.from(called.Payload).toString()).ok];
"""
    packages = (
        "@aws-sdk/client-sns@3.1162.0",
        "@aws-sdk/client-secrets-manager@3.1162.0",
        "@aws-sdk/client-lambda@3.1162.0",
    )
    assert value_of(body, *packages, egress=site) == ["m1", "s", 1]


def test_without_credentials_the_failure_says_so() -> None:
    body = """
const { DynamoDBClient, ListTablesCommand } = require('@aws-sdk/client-dynamodb');
try { await new DynamoDBClient({ region: 'eu-west-1' }).send(new ListTablesCommand({})); } catch (e) { return [e.name, e.message]; }
"""
    packages = ("@aws-sdk/client-dynamodb@3.1162.0", "@aws-sdk/lib-dynamodb@3.1162.0")
    name, message = value_of(body, *packages)
    assert name == "CredentialsProviderError"
    assert "credentials" in message


@pytest.mark.large
def test_version_2(site: Site) -> None:
    site.on("POST", "https://dynamodb.eu-west-1.amazonaws.com/", guarded(table))
    site.on("POST", "https://sns.eu-west-1.amazonaws.com/", guarded(Answer(text=(
        "<PublishResponse><PublishResult><MessageId>m1</MessageId></PublishResult></PublishResponse>"))))  # fmt: skip
    site.on(
        "POST",
        "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/f/invocations",
        guarded(Answer({"ok": 1})),
    )
    site.on("GET", "https://bucket.s3.eu-west-1.amazonaws.com/a.txt", guarded(Answer(text="hello")))
    body = f"""
const AWS = require('aws-sdk');
AWS.config.update({{ accessKeyId: 'AKID', secretAccessKey: '{SECRET}', region: 'eu-west-1' }});
const doc = new AWS.DynamoDB.DocumentClient();
const {{ Item }} = await doc.get({{ TableName: 'T', Key: {{ id: '1' }} }}).promise();
const viaCallback = await new Promise((done, fail) => new AWS.DynamoDB().getItem({{ TableName: 'T', Key: {{ id: {{ S: '1' }} }} }},
  (e, data) => (e ? fail(e) : done(data.Item.id.S))));
let wrong; try {{ await doc.get({{ TableName: 'gone', Key: {{ id: '1' }} }}).promise(); }} catch (e) {{ wrong = [e.code, e.statusCode]; }}
const sent = await new AWS.SNS({{ apiVersion: '2010-03-31' }}).publish({{ TopicArn: 'arn:t', Message: 'hi' }}).promise();
const called = await new AWS.Lambda().invoke({{ FunctionName: 'f', Payload: '{{}}' }}).promise();
const object = await new AWS.S3({{ signatureVersion: 'v4' }}).getObject({{ Bucket: 'bucket', Key: 'a.txt' }}).promise();
return [Item, viaCallback, wrong, sent.MessageId, called.Payload, object.Body.toString()];
"""
    assert value_of(body, "aws-sdk@2.1693.0", egress=site) == [
        {"id": "1", "n": 2, "tags": ["x"]}, "1", ["ResourceNotFoundException", 400], "m1", '{"ok": 1}', "hello",
    ]  # fmt: skip


@pytest.mark.large
@pytest.mark.parametrize("path", ["aws-sdk/clients/sns"])
def test_version_2_by_client(site: Site, path: str) -> None:
    site.on("POST", "https://sns.eu-west-1.amazonaws.com/", guarded(Answer(text=(
        "<PublishResponse><PublishResult><MessageId>m2</MessageId></PublishResult></PublishResponse>"))))  # fmt: skip
    body = f"""
const SNS = require('{path}');
const sns = new SNS({{ region: 'eu-west-1', credentials: {CREDENTIALS} }});
return (await sns.publish({{ PhoneNumber: '+1', Message: 'hi' }}).promise()).MessageId;
"""
    assert value_of(body, "aws-sdk@2.1693.0", egress=site) == "m2"
