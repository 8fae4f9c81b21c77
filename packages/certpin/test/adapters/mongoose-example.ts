// An example: a model of mongoose on a pinned connection, which a wrong pin ends at once.
import { connectMongodb, pinnedMongodb } from 'certpin/mongodb';
import mongoose, { type Connection, Schema } from 'mongoose';

const userSchema = new Schema({ email: { type: String, required: true } });

/** mongoose takes a client that is connected. It has to be made with mongoose's own driver, `mongoose.mongo`. */
export async function openDatabase(url: string, pins: string): Promise<Connection> {
  const client = new mongoose.mongo.MongoClient(...pinnedMongodb(url, { pins }));
  return mongoose.createConnection().setClient(await connectMongodb(client));
}

export async function findUser(database: Connection, email: string): Promise<{ readonly email: string } | null> {
  return database.model('User', userSchema).findOne({ email }).lean();
}
